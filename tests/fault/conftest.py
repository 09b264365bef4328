"""The tests of the suite's own parts need no server; they use the helpers of the end-to-end tests."""

import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
