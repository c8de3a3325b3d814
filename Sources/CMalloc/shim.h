// Of the C library, what Swift's module of it leaves out.
#include <malloc.h>
