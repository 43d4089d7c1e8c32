/** Bounds of the etcd API: those that etcd has when nobody changes them, since its clients count on them. */
export const etcdLimits = {
  /** Largest command as it stands in the log, bytes. */
  maxCommandBytes: 1536 * 1024,
  /** What a request message may take beside its command, bytes. */
  requestOverheadBytes: 512 * 1024,
  /** Most comparisons, and most operations of one branch, of a transaction together with those it is nested in. */
  maxTxnOperations: 128,
} as const;
