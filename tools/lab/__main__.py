import sys

from tools.lab.run import main

sys.exit(main())
