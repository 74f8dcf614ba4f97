import numpy as np

DTYPES: dict[str, np.dtype[np.void]]
