/** Subjects of the virtual CSE's own traffic on its message broker. Descriptors grant each function its own of them only. */
export const SUBJECT = {
  /** Request primitives, to any instance of request processing. */
  request: 'cse.request',
  /** Reading and changing of resources, to the data storage. */
  storageLook: 'cse.storage.look',
  storageList: 'cse.storage.list',
  storageCommit: 'cse.storage.commit',
  /** Notifications that the data storage holds until they are delivered. */
  outboxTake: 'cse.storage.outbox.take',
  outboxSettle: 'cse.storage.outbox.settle',
  /** Asks the subscription notification function to verify a new subscription's targets. */
  verify: 'cse.notification.verify',
  /** A notification primitive to be sent out over HTTP, by any instance of the field device protocol. */
  notifyHttp: 'cse.notify.http',
} as const;

/** Answers come to subjects below this one; the broker lets only the owner of the key listen there. */
export function inboxPrefixOf(nkeyPublic: string): string {
  return `_INBOX.${nkeyPublic}`;
}
