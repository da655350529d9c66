/** A bounded queue on disk: in order, safe from kill -9 at any instant, drops the oldest beyond its bound and counts them. */
export { openDiskQueue, type DiskQueue, type DiskQueueOptions } from './disk-queue.ts';
export type { QueueEntry } from './record-format.ts';
