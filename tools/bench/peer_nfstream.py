"""nfstream at the same task: flows with direction, size and gap of their first 64 packets."""

import sys

from nfstream import NFStreamer

if __name__ == "__main__":
    flows = NFStreamer(source=sys.argv[1], splt_analysis=64, n_dissections=0, n_meters=1)
    print(sum(1 for _ in flows), "flows")
