// The layers of ARCHITECTURE.md as rules: an import may only point down. test/unit/tooling proves that each can fail.

/** A rule that every import of `from` into `to` breaks; `comment` says why it is there. */
const forbid = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to });

/** A package, wherever npm has put it. */
const packages = (...names) => `(^|/)node_modules/(${names.join('|')})(/|$)`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    forbid(
      'no-cycle',
      'Two files that need each other are one thing in two places: neither can be understood or tested alone.',
      {},
      { circular: true },
    ),
    forbid(
      'no-orphan',
      'A file that imports nothing and that nobody imports is dead.',
      { orphan: true, path: '^src/', pathNot: '^src/gen/' },
      {},
    ),
    forbid(
      'resolvable',
      'An import that leads nowhere fails at run time, on the machine of a user.',
      {},
      { couldNotResolve: true },
    ),
    forbid(
      'no-dev-package',
      'A member is installed without development packages.',
      { path: '^src/' },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    ),

    // Layer 0 and 1: pure code.
    forbid(
      'base-alone',
      'Everything stands on base: it imports nothing, no Node module and no package, so that the core can use all of it.',
      { path: '^src/base/' },
      { pathNot: '^src/base/' },
    ),
    forbid(
      'gen-alone',
      'Generated stubs know their packages and each other, nothing of the house.',
      { path: '^src/gen/' },
      {
        path: '^src/',
        pathNot: '^src/gen/',
      },
    ),
    forbid(
      'core-pure',
      'The core is a function of its inputs (architecture §1.1): no Node module, no package, nothing but base.',
      { path: '^src/raft/' },
      { pathNot: '^src/(raft|base)/' },
    ),
    forbid(
      'tls-alone',
      'What dials and what listens share how TLS is spoken, whoever they are: it knows nothing of them.',
      { path: '^src/tls/' },
      { path: '^src/', pathNot: '^src/(tls|base)/' },
    ),
    forbid(
      'core-entrance',
      'What raft/index.ts does not export is free to change; other rooms, and users of quorate/raft, see only that.',
      { path: '^src/', pathNot: '^src/raft/' },
      { path: '^src/raft/', pathNot: '^src/raft/index\\.ts$' },
    ),

    // Layer 2: siblings.
    forbid(
      'siblings-apart',
      'Storage, transport, store and client are exchangeable one by one only as long as none knows another.',
      { path: '^src/(storage|transport|kv|client)/' },
      { path: '^src/(storage|transport|kv|client)/', pathNot: '^src/$1/' },
    ),
    forbid(
      'siblings-point-down',
      'Layer 2 stands below the driver and the services.',
      { path: '^src/(storage|transport|kv|client)/' },
      { path: '^src/(node|api|ops|cli|sim)/|^src/main\\.ts$' },
    ),

    // Layer 3: the driver.
    forbid(
      'driver-sees-interfaces',
      'The simulator runs the same driver on other storages and networks, so it may know only their interfaces. What it writes into the log and to other members has its shape in the peer protos.',
      { path: '^src/node/' },
      {
        path: '^src/',
        pathNot:
          '^src/(node|base|gen/quorate/peer)/|^src/raft/index\\.ts$|^src/storage/storage\\.ts$|^src/transport/transport\\.ts$',
      },
    ),

    // Layer 4: services.
    forbid(
      'services-apart',
      'The API must be servable without the operations, and the operations know no API.',
      { path: '^src/(api|ops)/' },
      { path: '^src/(api|ops)/', pathNot: '^src/$1/' },
    ),
    forbid(
      'apis-apart',
      'The native and the etcd API are two views of one store. What they share lies beside both.',
      { path: '^src/api/(native|etcd)/' },
      { path: '^src/api/(native|etcd)/', pathNot: '^src/api/$1/' },
    ),
    forbid(
      'services-point-down',
      'Services are wired by the composition roots and know nothing of them.',
      { path: '^src/(api|ops)/' },
      { path: '^src/(cli|sim)/|^src/main\\.ts$' },
    ),

    // Layer 5: composition roots.
    forbid('main-on-top', 'Importing main.ts would start the program.', { path: '^src/' }, { path: '^src/main\\.ts$' }),
    forbid(
      'cli-on-top',
      'Commands are for people; code calls what they call.',
      { path: '^src/', pathNot: '^src/(cli/|main\\.ts$)' },
      {
        path: '^src/cli/',
      },
    ),
    forbid(
      'sim-outside',
      'The simulator is left out of the image.',
      { path: '^src/', pathNot: '^src/sim/' },
      { path: '^src/sim/' },
    ),

    // Packages have their rooms.
    forbid(
      'sqlite-placed',
      'SQLite is reached through few files with a telling name, so that its durability rules can be read in one place.',
      { path: '^src/', pathNot: '^src/(storage|kv)/sqlite-[^/]+\\.ts$' },
      { path: packages('better-sqlite3', '@types/better-sqlite3') },
    ),
    forbid(
      'grpc-placed',
      'gRPC is how members and clients talk, not what the house is made of.',
      { path: '^src/', pathNot: '^src/(transport|api|client|ops|gen|tls)/' },
      { path: packages('@grpc/grpc-js') },
    ),
    forbid(
      'ops-packages-placed',
      'All others take the Logger and Metrics interfaces of base, so that a test or an embedder brings its own.',
      { path: '^src/', pathNot: '^src/ops/' },
      { path: packages('pino', 'prom-client') },
    ),
    forbid(
      'node-sqlite-absent',
      'There is one SQLite in the house, the one whose durability was measured.',
      { path: '^src/' },
      { path: '^(node:)?sqlite$' },
    ),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    // An import of types alone is a dependency too: who knows a type knows the room it comes from.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] },
  },
};
