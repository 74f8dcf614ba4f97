# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Mapping: the bytes of a regular file in memory without a copy, safe from what happens to it meanwhile.

With the file in the page cache this costs a tenth of read(2).  Its price: bytes that cannot be had any more,
since somebody cut the file short or the medium fails, are a SIGBUS at the access.  Here such an access finds
zeros, and `torn` says from where on.  The handler is put in front of the one that there is, and leaves to
that one what is none of its business.
SAFETY: the handler makes system calls only (POSIX does not list mmap as safe in one; on Linux it is a mere
system call) and reads the table of mappings, which changes under the GIL; a mapping leaves the table when
nobody has its bytes any more.  Whoever gets an array of them has `size` as its bound.
"""

import os

from cpython.buffer cimport PyBuffer_FillInfo
from posix.mman cimport (
    MADV_DONTNEED,
    MADV_SEQUENTIAL,
    MAP_ANONYMOUS,
    MAP_FAILED,
    MAP_FIXED,
    MAP_PRIVATE,
    MAP_SHARED,
    PROT_READ,
    madvise,
    mmap,
    munmap,
)
from posix.signal cimport SA_ONSTACK, SA_SIGINFO, sigaction, sigaction_t, siginfo_t, sigemptyset

cdef extern from "<signal.h>" nogil:
    enum: SIGBUS

cdef extern from "<errno.h>" nogil:
    enum: EINVAL
    int errno

cdef enum:
    MAPPINGS = 64           # more at a time are refused; whoever asks then reads
    WHOLE = -1
    POPULATE_READ = 22      # MADV_POPULATE_READ of Linux 5.14, which older systems' headers lack

ctypedef struct Guarded:
    size_t start            # address; 0: the entry is free
    size_t size
    Py_ssize_t torn         # offset from which on there are zeros instead of the file's bytes, or WHOLE

cdef Guarded[MAPPINGS] guarded
cdef sigaction_t before     # what handled SIGBUS before
cdef size_t PAGE = os.sysconf("SC_PAGESIZE")


cdef void on_sigbus(int number, siginfo_t* info, void* context) noexcept nogil:
    global errno
    cdef int kept = errno
    cdef size_t at = <size_t> info.si_addr & ~(PAGE - 1)
    cdef Guarded* one
    cdef int i
    for i in range(MAPPINGS):
        one = &guarded[i]
        if one.start == 0 or at < one.start or at - one.start >= one.size:
            continue
        if mmap(<void*> at, one.start + one.size - at, PROT_READ,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED:
            break
        if one.torn == WHOLE or one.torn > <Py_ssize_t> (at - one.start):
            one.torn = at - one.start
        errno = kept
        return
    sigaction(SIGBUS, &before, NULL)    # the access is made again, before that handler's eyes
    errno = kept


cdef bint handle_sigbus() noexcept nogil:
    """Be the handler of SIGBUS; False: impossible."""
    global before
    cdef sigaction_t now, ours
    if sigaction(SIGBUS, NULL, &now) != 0:
        return False
    if now.sa_flags & SA_SIGINFO and now.sa_sigaction == on_sigbus:
        return True
    before = now
    ours.sa_sigaction = on_sigbus
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK
    sigemptyset(&ours.sa_mask)
    return sigaction(SIGBUS, &ours, NULL) == 0


cdef class Mapping:
    """The first `size` bytes of an open file.

    OSError if they cannot be mapped (then read them); ValueError if size is not at least 1.  The descriptor
    may be closed afterwards.  The bytes stay as long as somebody has an array of them.
    """

    cdef int entry              # in `guarded`; -1: none
    cdef readonly Py_ssize_t size

    def __cinit__(self, int descriptor, Py_ssize_t size):
        cdef void* start
        cdef int i
        self.entry = -1
        if size < 1:
            raise ValueError(f"size is {size}, expected 1 or more")
        self.size = size
        free = [i for i in range(MAPPINGS) if guarded[i].start == 0]
        if not free or not handle_sigbus():
            raise OSError("no more mappings can be guarded")
        start = mmap(NULL, size, PROT_READ, MAP_SHARED, descriptor, 0)
        if start == MAP_FAILED:
            raise OSError(errno, os.strerror(errno))
        madvise(start, size, MADV_SEQUENTIAL)
        i = free[0]
        guarded[i].torn, guarded[i].size, guarded[i].start = WHOLE, size, <size_t> start
        self.entry = i

    def __dealloc__(self):
        cdef size_t start
        if self.entry >= 0:
            start = guarded[self.entry].start
            guarded[self.entry].start = 0
            munmap(<void*> start, self.size)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, <void*> guarded[self.entry].start, self.size, 1, flags)

    @property
    def torn(self):
        """Offset from which on zeros were found in place of the file's bytes, None if that never happened."""
        return None if guarded[self.entry].torn == WHOLE else guarded[self.entry].torn

    def fetch(self, Py_ssize_t start, Py_ssize_t stop):
        """Have these bytes at hand; False when the file has them no more."""
        cdef size_t first, last
        cdef int problem
        self._check(start, stop)
        first = guarded[self.entry].start + start & ~(PAGE - 1)
        last = guarded[self.entry].start + stop
        with nogil:
            problem = errno if madvise(<void*> first, last - first, POPULATE_READ) else 0
        return problem == 0 or problem == EINVAL        # EINVAL: an older kernel, which fetches at the access

    def leave(self, Py_ssize_t start, Py_ssize_t stop):
        """Let go of the memory of these bytes, in whole pages; they come again when they are looked at."""
        cdef size_t first, last
        self._check(start, stop)
        first = (guarded[self.entry].start + start + PAGE - 1) & ~(PAGE - 1)
        last = (guarded[self.entry].start + stop) & ~(PAGE - 1)
        if first < last:
            with nogil:
                madvise(<void*> first, last - first, MADV_DONTNEED)

    cdef _check(self, Py_ssize_t start, Py_ssize_t stop):
        if not 0 <= start <= stop <= self.size:
            raise ValueError(f"start {start} and stop {stop} are not inside {self.size} bytes")
