POLICIES: dict[str, int]

class HeldStore:
    def __init__(self, size: int, entries: int, policy: str) -> None: ...
