internal import NIOCore

/// A piece of a response in the forms that clients want, each made when the first of them needs it.
struct SharedForms {
    private var made: [(form: ResponseForm, bytes: SharedBytes)] = []
    /// The forms of the piece's earlier content that were made, as long as they were not needed here for reuse.
    private var earlier: [(form: ResponseForm, bytes: SharedBytes)] = []

    init() {}

    init(after earlier: SharedForms) {
        self.earlier = earlier.made + earlier.earlier.filter { old in !earlier.made.contains { $0.form == old.form } }
    }

    mutating func bytes(_ form: ResponseForm, make: () -> ByteBuffer) -> SharedBytes {
        if let known = made.first(where: { $0.form == form }) { return known.bytes }
        let before = earlier.firstIndex { $0.form == form }.map { earlier.remove(at: $0).bytes }
        let bytes = SharedBytes(make(), after: before)
        made.append((form, bytes))
        return bytes
    }
}
