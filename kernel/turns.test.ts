import { expect, it } from 'vitest';
import { createKeyedQueue, createTurns } from './index.ts';

it('work takes its turn in the order in which it comes, also after work that fails', async () => {
  const inTurn = createTurns();
  const said: string[] = [];
  const first = Promise.withResolvers<void>();
  const slow = inTurn(async () => {
    await first.promise;
    said.push('slow');
    throw new RangeError('it went wrong');
  });
  const quick = inTurn(() => said.push('quick'));
  first.resolve();
  await expect(slow).rejects.toThrow('it went wrong');
  expect(await quick).toBe(2);
  expect(said).toEqual(['slow', 'quick']);
});

it('work of one key takes its turn, and work of others runs beside it', async () => {
  const queue = createKeyedQueue();
  const said: string[] = [];
  const first = Promise.withResolvers<void>();
  const slow = queue.run('one', async () => {
    await first.promise;
    said.push('slow');
    throw new RangeError('it went wrong');
  });
  const next = queue.run('one', async () => said.push('next'));
  await queue.run('other', async () => said.push('beside'));
  first.resolve();
  await expect(slow).rejects.toThrow('it went wrong');
  await next;
  await queue.idle();
  expect(said).toEqual(['beside', 'slow', 'next']);
});
