import Documents
import Testing

@testable import MeshAPI

@Suite("Templates that come with the server", .timeLimit(.minutes(2)))
struct BuiltinTemplatesTests {
    private static let path = Fixture.shop + "/analysisTemplates"

    @Test("are in lists for who asks for them, on the first page, and nobody writes them")
    func list() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            func names(_ query: String) async throws -> [String?] {
                let answer = try await api.writer.send("GET", Self.path + query)
                return answer.body["items"]?.arrayValue?.map { $0["metadata"]?["name"]?.stringValue } ?? []
            }
            #expect(try await names("") == [])
            #expect(try await names("?builtin=false") == [])
            #expect(try await names("?builtin=true") == ["builtin/http-compare", "builtin/http-golden"])
            #expect(try await names("?builtin=true&labelSelector=a%3Db") == [])
            let items = try await api.writer.send("GET", Self.path + "?builtin=true").body["items"]?.arrayValue
            #expect(items?.last?["spec"]?["metrics"]?.arrayValue?.count == 2)
            #expect(try await api.writer.send("GET", Fixture.shop + "/services?builtin=true").status == 400)
        }
    }
}
