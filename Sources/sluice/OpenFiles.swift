internal import Glibc

/// How many files and sockets this process may have open.
enum OpenFiles {
    /// Raises the limit as far as it goes without anybody's leave: systems begin with 1024 for the sake of `select(2)`, and
    /// each proxy needs one.
    ///
    /// - Returns: the limit that holds then.
    static func raiseLimit() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        return Int(clamping: limit.rlim_cur)
    }
}
