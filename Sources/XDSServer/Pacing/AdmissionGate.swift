internal import NIOCore

/// A client that waits before an ``AdmissionGate``.
protocol Newcomer: AnyObject {
    /// The turn has come.
    func proceed()
}

/// Leaves newcomers no more than a part of an event loop's time, so that a storm of reconnections does not keep
/// configuration from those who are there.
///
/// While there is time they are served at once. Then they wait, and for every piece of work that is done for them the loop is
/// left to others for a moment. Among those who wait, tenants take turns, so that a tenant with a thousand sidecars is not in
/// the way of one with ten.
///
/// Bound to its event loop.
final class AdmissionGate {
    /// How much work is done for newcomers between two pauses: with the default they have at most four fifths of the time.
    struct Pace {
        var work = TimeAmount.milliseconds(4)
        var pause = TimeAmount.milliseconds(1)
    }

    private let eventLoop: any EventLoop
    private let pace: Pace
    private let now: () -> NIODeadline
    private var queue = FairQueue<any Newcomer>()
    private var spent = TimeAmount.zero
    private var isPausing = false

    init(on eventLoop: any EventLoop, pace: Pace = Pace(), now: @escaping () -> NIODeadline = { .now() }) {
        self.eventLoop = eventLoop
        self.pace = pace
        self.now = now
    }

    /// Whether a newcomer may be served now; if not it has to ``wait(_:of:)``.
    var isOpen: Bool { !isPausing && queue.isEmpty }

    /// Does work for a newcomer.
    func serve(_ work: () -> Void) {
        let start = now()
        work()
        spent = spent + (now() - start)
        if spent >= pace.work { pause() }
    }

    /// Has the newcomer told when its turn comes. It must not be waiting already.
    func wait(_ newcomer: some Newcomer, of tenant: String) { queue.append(newcomer, of: tenant) }

    /// The newcomer has gone.
    func leave(_ newcomer: some Newcomer, of tenant: String) { queue.remove(from: tenant) { $0 === newcomer } }

    private func pause() {
        guard !isPausing else { return }
        isPausing = true
        eventLoop.assumeIsolated().scheduleTask(in: pace.pause) { self.open() }
    }

    private func open() {
        isPausing = false
        spent = .zero
        while !isPausing, let next = queue.popFirst() { serve(next.proceed) }
    }
}

/// A queue for each of several parties, which take turns.
struct FairQueue<Element> {
    private var elements: [String: CircularBuffer<Element>] = [:]
    /// Parties that have elements, whose turn is next first.
    private var turns = CircularBuffer<String>()

    var isEmpty: Bool { turns.isEmpty }

    mutating func append(_ element: Element, of party: String) {
        if elements[party] == nil { turns.append(party) }
        elements[party, default: CircularBuffer()].append(element)
    }

    mutating func popFirst() -> Element? {
        guard let party = turns.popFirst() else { return nil }
        let element = elements[party]?.popFirst()
        if elements[party]?.isEmpty == false {
            turns.append(party)
        } else {
            elements[party] = nil
        }
        return element
    }

    mutating func remove(from party: String, where isMeant: (Element) -> Bool) {
        elements[party]?.removeAll(where: isMeant)
        guard elements[party]?.isEmpty == true else { return }
        elements[party] = nil
        turns.removeAll { $0 == party }
    }
}
