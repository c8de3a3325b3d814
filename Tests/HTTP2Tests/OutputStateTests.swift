import Testing

@testable import HTTP2

@Suite("When a connection writes")
struct OutputStateTests {
    @Test("output that appears by itself is written at the end of the turn, once")
    func scheduled() {
        var output = OutputState()
        #expect(output.appeared() == true)
        #expect(output.appeared() == false, "the turn has one end")
        output.turnEnded()
        #expect(output.beginWriting() == true)
        output.endWriting()
        #expect(output.appeared() == true, "the next turn has another")
    }

    @Test("output that is gathered is written when gathering ends, and only if there is some")
    func gathered() {
        var output = OutputState()
        #expect(output.beginGathering() == true)
        #expect(output.beginWriting() == false)
        output.endGathering()
        #expect(output.takeGathered() == false)
        #expect(output.beginGathering() == true)
        #expect(output.appeared() == false, "nothing is scheduled for it")
        output.endGathering()
        #expect(output.takeGathered() && !output.takeGathered())
        #expect(output.beginGathering() == true)
        output.endGathering(isDirty: true)
        #expect(output.takeGathered() == true)
    }

    @Test("gathering inside gathering leaves the end to the outer one")
    func nested() {
        var output = OutputState()
        #expect(output.beginGathering() && !output.beginGathering())
        #expect(output.appeared() == false)
        output.endGathering()
        #expect(output.takeGathered() == true)
    }

    @Test("nothing is written while something is written, also after reading meanwhile")
    func writing() {
        var output = OutputState()
        #expect(output.beginWriting() && !output.beginWriting())
        #expect(output.beginGathering() == true)
        output.endGathering(isDirty: true)
        #expect(output.beginWriting() == false)
        output.endWriting()
        #expect(output.takeGathered() && output.beginWriting())
        #expect(output.appeared() == true, "what appears meanwhile is written at the end of the turn")
    }
}
