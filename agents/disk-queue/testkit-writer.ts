/** Writes to the queue in argv[2] as fast as it can and prints each sequence once it was taken: for the kill test. */
import { silentLogger } from '../../kernel/index.ts';
import { openDiskQueue } from './index.ts';

const queue = await openDiskQueue({
  directory: process.argv[2] ?? '',
  maxBytes: 8 * 1024 * 1024,
  sync: 'each',
  log: silentLogger,
});
for (;;) {
  const size = (queue.newest * 37) % 700;
  const sequence = await queue.append(Buffer.alloc(size, queue.newest % 251));
  process.stdout.write(`${sequence} ${size}\n`);
  if (sequence % 20 === 0) await queue.acknowledge(sequence - 15);
}
