import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFenceGuard } from './fence-guard.ts';
import { layoutOf } from './layout.ts';

describe('the fence', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'iotmano-fence-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
    await rm(`${directory}-away`, { recursive: true, force: true });
  });

  it('lets a command through only once it is on disk, also where the disk failed at first', async () => {
    const layout = layoutOf(directory);
    const guard = await openFenceGuard(layout);
    await rename(directory, `${directory}-away`);
    await expect(guard.pass({ leaseNumber: 2, revision: 5 })).rejects.toThrow(/cannot write/);
    await mkdir(directory);
    await guard.pass({ leaseNumber: 2, revision: 5 });
    const again = await openFenceGuard(layout);
    await expect(again.pass({ leaseNumber: 2, revision: 4 })).rejects.toMatchObject({ code: 'stale-lease' });
    await again.pass({ leaseNumber: 2, revision: 5 });
  });

  it('has the newest of many commands on disk when the last of them got through', async () => {
    const layout = layoutOf(directory);
    const guard = await openFenceGuard(layout);
    await Promise.all([1, 2, 3, 4].map((revision) => guard.pass({ leaseNumber: 1, revision })));
    await expect((await openFenceGuard(layout)).pass({ leaseNumber: 1, revision: 3 })).rejects.toMatchObject({
      code: 'stale-lease',
    });
  });
});
