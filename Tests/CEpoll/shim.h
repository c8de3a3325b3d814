// Of the C library, what Swift's module of it leaves out.
#include <sys/epoll.h>
#include <sys/eventfd.h>
