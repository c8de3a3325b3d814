internal import Logging
package import MeshStore
package import Postgres
package import PostgresServer
