"""ftplib at work.

settings: address, name, password, work ("list", "fetch", "put"), file, size, count,
pause ([kind, seconds]), seed
Prints {"ended": "auth-success" | "auth-failed"}
"""

import ftplib
import io
import json
import random
import sys
import time


def main(address, name, password, work, file, size, count, pause, seed):
    kind, seconds = pause
    draw = random.Random(seed)
    waits = {
        "none": lambda: 0.0,
        "fixed": lambda: seconds,
        "even": lambda: draw.uniform(0.5, 1.5) * seconds,
        "exponential": lambda: draw.expovariate(1 / seconds),
    }
    wait = waits[kind]
    client = ftplib.FTP(timeout=30)
    client.connect(address)
    time.sleep(wait())
    try:
        client.login(name, password)
    except ftplib.error_perm:
        client.close()
        print(json.dumps({"ended": "auth-failed"}))
        return
    for number in range(count):
        time.sleep(wait())
        if work == "list":
            client.retrlines("LIST", lambda line: None)
        elif work == "fetch":
            client.retrbinary(f"RETR {file}", lambda data: None)
        else:
            client.storbinary(f"STOR {number}.bin", io.BytesIO(draw.randbytes(size)))
    time.sleep(wait())
    client.quit()
    print(json.dumps({"ended": "auth-success"}))


main(**json.loads(sys.argv[1]))
