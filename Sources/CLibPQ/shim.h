#include <libpq-fe.h>
// How the sockets of libpq are waited for; Swift's Glibc module leaves these two headers out.
#include <sys/epoll.h>
#include <sys/eventfd.h>
