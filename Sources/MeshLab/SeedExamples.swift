package import Documents

/// The VirtualServices of the talk that the product was conceived from, in JSON, with the early spelling that they have
/// there (`destination.name`; one of them gives `http` as an object instead of a list).
package enum SeedExamples {
    /// By weight: 20 % to one version, 80 % to the other.
    package static let byWeight: JSONValue = [
        "hosts": ["reviews"],
        "http": [
            "route": [
                ["destination": ["name": "v1"], "weight": 20],
                ["destination": ["name": "v2"], "weight": 80],
            ]
        ],
    ]

    /// By content: a cookie decides the version.
    package static let byContent: JSONValue = [
        "hosts": ["reviews"],
        "http": [
            [
                "match": [["headers": ["cookie": ["exact": "group=dev"]]]],
                "route": [["destination": ["name": "v1"]]],
            ],
            ["route": [["destination": ["name": "v2"]]]],
        ],
    ]

    /// "A typical VirtualService": matches on cookie and path, a rewrite, a split, and a default.
    package static let typical: JSONValue = [
        "hosts": ["reviews"],
        "gateways": ["bookinfo", "mesh"],
        "http": [
            [
                "match": [
                    [
                        "headers": ["cookie": ["regex": "^(.*?;)?(user=jason)(;.*)?"]],
                        "uri": ["prefix": "/catalog1"],
                    ],
                    ["uri": ["prefix": "/catalog2"]],
                ],
                "rewrite": ["uri": "/newcatalog"],
                "route": [
                    ["destination": ["name": "reviews", "subset": "v2"], "weight": 25],
                    ["destination": ["name": "reviews", "subset": "v3"], "weight": 75],
                ],
            ],
            ["route": [["destination": ["name": "reviews", "subset": "v1"]]]],
        ],
    ]
}
