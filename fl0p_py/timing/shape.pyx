# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The shape of a few intervals: alike, made up for by the next, drawn at random, spread.

`ordered` are in ascending order, `values` in the order in which they came; n of them, none 0, in units of
UNIT_NS.  A clock seen through a jittery network keeps its beat: an interval that is too long is followed by
one that is too short, and sums of four vary little (`swings`).

SAFETY: arrays are the caller's, as long as it says.  The twin is tests/timing/twin_rhythm.py.
"""

from libc.math cimport exp, fabs, log, sqrt
from libc.stdint cimport uint32_t

cdef enum:
    FIT_ENOUGH = 16         # intervals that show a distribution's shape
    ALIKE_ENOUGH = 3        # equal ones that are no accident

cdef double REGULAR = 0.1       # deviation of logarithms below which intervals are alike, if they also
cdef double REGULAR_NS = 150e6  # deviate by less than this,
cdef double STRICT = 0.03       # or below which they are anyway
cdef double TWICE = 0.015       # difference of logarithms below which two intervals are alike
cdef double SWING = -0.38       # correlation of neighbours, -0.5 for a clock with jitter, 0 for hands
cdef double STEADY = 0.5        # variance of sums of four, in fours: 0.25 for such a clock, 1 for hands
cdef double FIT = 6.0           # nats by which a distribution must fit better
cdef double LOG_2PIE = 2.8378770664093453


cdef void sort(uint32_t* ordered, uint32_t* values, int n) noexcept nogil:
    """A copy in ascending order: by insertion, since there are few."""
    cdef int i, j
    for i in range(n):
        j = i
        while j > 0 and ordered[j - 1] > values[i]:
            ordered[j] = ordered[j - 1]
            j -= 1
        ordered[j] = values[i]


cdef double middle(uint32_t* ordered, int n) noexcept nogil:
    """The geometric mean: the middle of what is log-normal."""
    cdef double total = 0
    cdef int i
    for i in range(n):
        total += log(ordered[i])
    return exp(total / n)


cdef double spread(uint32_t* ordered, int n) noexcept nogil:
    """Standard deviation of the logarithms, an eighth of the values left out at either end."""
    cdef int i, out = n // 8
    cdef double total = 0, square = 0
    for i in range(out, n - out):
        total += log(ordered[i])
    total /= n - 2 * out
    for i in range(out, n - out):
        square += (log(ordered[i]) - total) ** 2
    return sqrt(square / (n - 2 * out))


cdef bint regular(uint32_t* ordered, int n) noexcept nogil:
    """Whether intervals hardly differ, or most of them do not."""
    cdef double width, mean = 0, square = 0
    cdef int i, near = 0, out = n // 8
    if n < 2:
        return False
    if n == 2:
        return log(ordered[1]) - log(ordered[0]) < TWICE
    for i in range(n):
        near += fabs(<double>ordered[i] - ordered[n // 2]) < STRICT * ordered[n // 2]
    if near >= ALIKE_ENOUGH and near * 2 > n:
        return True
    width = spread(ordered, n)
    if width >= REGULAR:
        return False
    for i in range(out, n - out):
        mean += ordered[i]
    mean /= n - 2 * out
    for i in range(out, n - out):
        square += (ordered[i] - mean) ** 2
    return width < STRICT or sqrt(square / (n - 2 * out)) * UNIT_NS < REGULAR_NS


cdef double mean_of(uint32_t* values, int n) noexcept nogil:
    cdef double total = 0
    cdef int i
    for i in range(n):
        total += values[i]
    return total / n


cdef double follows(uint32_t* values, int n) noexcept nogil:
    """Correlation of each interval with the next; 0 if all are the same."""
    cdef double mean = mean_of(values, n), square = 0, product = 0
    cdef int i
    for i in range(n):
        square += (values[i] - mean) ** 2
    for i in range(n - 1):
        product += (values[i] - mean) * (values[i + 1] - mean)
    return product / square if square else 0.0


cdef bint swings(uint32_t* values, int n) noexcept nogil:
    """Whether each interval makes up for the one before it."""
    cdef double mean, square = 0, fours = 0
    cdef int i
    if n < FIT_ENOUGH:
        return False
    mean = mean_of(values, n)
    for i in range(n):
        square += (values[i] - mean) ** 2
    for i in range(n - 3):
        fours += (<double>values[i] + values[i + 1] + values[i + 2] + values[i + 3] - 4 * mean) ** 2
    return follows(values, n) < SWING and fours * n < STEADY * 4 * square * (n - 3)


cdef bint drawn(uint32_t* ordered, int n, double shortest) noexcept nogil:
    """Whether an even or an exponential distribution fits clearly better than the log-normal one."""
    cdef double total = 0, square = 0, log_normal, even, exponential
    cdef int i
    if n < FIT_ENOUGH:
        return False
    for i in range(n):
        total += log(ordered[i])
    total /= n
    for i in range(n):
        square += (log(ordered[i]) - total) ** 2
    if square == 0:
        return False
    log_normal = -n * (total + log(sqrt(square / n)) + 0.5 * LOG_2PIE)
    even = -n * log((<double>ordered[n - 1] - ordered[0]) * (n + 1) / (n - 1))
    exponential = -n * (1 + log(max(1.0, mean_of(ordered, n) - shortest)))
    return max(even, exponential) - log_normal > FIT
