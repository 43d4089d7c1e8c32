/** A program on npm's etcd3 that uses all of it: what it prints has to be the same against any etcd. */
'use strict';

const { Etcd3 } = require('etcd3');
const { endpoints, main } = require('../session.cjs');
const { keys, oldRevisions, errors } = require('./keys.cjs');
const { transactions, softwareTransactions } = require('./transactions.cjs');
const { watches, compactedWatch } = require('./watches.cjs');
const { leases } = require('./leases.cjs');
const { locks, elections } = require('./coordination.cjs');
const { failover } = require('./failover.cjs');

const etcd = new Etcd3({ hosts: endpoints.map((endpoint) => `http://${endpoint}`) });
const sections = [
  ...[keys, oldRevisions, errors, transactions, softwareTransactions, watches, compactedWatch],
  ...[leases, locks, elections, failover],
];

main(sections.map((section) => ({ name: section.name, run: () => section(etcd) }))).then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
