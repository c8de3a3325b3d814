/// The caches that the streams of one event loop share. Bound to that loop.
final class StreamSharing {
    let lists = RecentLists()
    let names = NameTable()
    let responses = ResponseCache()
}
