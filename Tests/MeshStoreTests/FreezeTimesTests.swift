import MeshStore
import Postgres
import StoreFixtures
import Testing

@Suite("The first instant at which a wall clock shows a time")
struct FreezeTimesTests {
    @Test(
        "is the first of an hour that comes twice, and the one behind an hour that is left out",
        arguments: [
            // Clocks are put forward at 2:00 to 3:00, and back at 2:00 to 1:00.
            ("America/New_York", "2027-03-14 01:59", "2027-03-14T06:59:00Z"),
            ("America/New_York", "2027-03-14 02:00", "2027-03-14T07:00:00Z"),
            ("America/New_York", "2027-03-14 02:30", "2027-03-14T07:00:00Z"),
            ("America/New_York", "2027-03-14 03:00", "2027-03-14T07:00:00Z"),
            ("America/New_York", "2027-11-07 00:59", "2027-11-07T04:59:00Z"),
            ("America/New_York", "2027-11-07 01:00", "2027-11-07T05:00:00Z"),
            ("America/New_York", "2027-11-07 01:30", "2027-11-07T05:30:00Z"),
            ("America/New_York", "2027-11-07 02:00", "2027-11-07T07:00:00Z"),
            ("Europe/Berlin", "2027-03-28 02:15", "2027-03-28T01:00:00Z"),
            ("Europe/Berlin", "2027-10-31 02:15", "2027-10-31T00:15:00Z"),
            // Half an hour.
            ("Australia/Lord_Howe", "2027-10-03 02:15", "2027-10-02T15:30:00Z"),
            ("Australia/Lord_Howe", "2027-04-04 01:45", "2027-04-03T14:45:00Z"),
            // A whole day was left out.
            ("Pacific/Apia", "2011-12-30 12:00", "2011-12-30T10:00:00Z"),
            ("Asia/Shanghai", "2027-06-01 08:00", "2027-06-01T00:00:00Z"),
            ("Asia/Kathmandu", "2027-06-01 05:45", "2027-06-01T00:00:00Z"),
            ("UTC", "2028-02-29 00:00", "2028-02-29T00:00:00Z"),
        ])
    func changes(_ row: (zone: String, wall: String, instant: String)) async throws {
        try await withStore { store in
            let found = try await store.pool.query(
                """
                SELECT to_char(first_instant(\(row.wall)::text::timestamp, \(row.zone)) AT TIME ZONE 'UTC',
                               'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS t
                """)
            #expect(try found.map { try $0["t", as: String.self] } == [row.instant])
        }
    }

    @Test("is one before which the clock never showed it or a later time")
    func law() async throws {
        try await withStore { store in
            let wrong = try await store.pool.query(
                """
                WITH zone (name) AS (
                    SELECT unnest(ARRAY['America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Africa/Casablanca',
                                        'Africa/Cairo', 'America/Santiago', 'Antarctica/Troll', 'Asia/Tehran', 'UTC'])),
                wall AS (
                    SELECT name, w, first_instant(w, name) AS found
                      FROM zone, generate_series(timestamp '2026-12-01', '2027-12-01', interval '35 min') w
                     WHERE (w AT TIME ZONE 'UTC' - interval '16 h') AT TIME ZONE name + interval '32 h'
                        <> (w AT TIME ZONE 'UTC' + interval '16 h') AT TIME ZONE name
                        OR w - date_trunc('month', w) < interval '2 h')
                SELECT name, w::text AS w FROM wall
                 WHERE found AT TIME ZONE name < w
                    OR EXISTS (SELECT FROM generate_series(found - interval '4 h', found - interval '1 s', interval '1 min') s
                                WHERE s AT TIME ZONE name >= w)
                """)
            #expect(try wrong.map { "\(try $0["name", as: String.self]) \(try $0["w", as: String.self])" } == [])
        }
    }
}
