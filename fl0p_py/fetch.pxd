# Asking for memory before it is needed, which most of the kernels' time would go into waiting for.

cdef extern from * nogil:
    """
    /* gcc 12 takes a function that does nothing but prefetch for one without effect and leaves out its calls:
       the empty statement is an effect, and costs nothing. */
    static inline __attribute__((always_inline, unused)) void fl0p_fetch(const void *where)
    {
        __builtin_prefetch(where);
        __asm__ volatile ("");
    }
    """
    void fetch "fl0p_fetch" (const void *where)     # the cache line that this points into
