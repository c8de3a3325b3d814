/// When a piece of work, such as a request, must be over, however many statements it runs.
///
/// It travels with the task, so that it costs no timer and no task of its own: waiting for the server is where work
/// spends its time, and that has a deadline anyway.
package enum WorkDeadline {
    /// No statement of this task or its children waits longer than until then, but for those that clean up. A statement
    /// that does is cancelled on the server and throws ``PostgresError/Kind/timedOut``.
    @TaskLocal package static var current: ContinuousClock.Instant?
}
