import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isServiceMissing } from '../../test/kit/services.ts';
import { nextFence, run, sampleWorkload, setSlowness } from '../conformance-site.ts';
import { demandRoom } from './disk-room.ts';
import { docker, engineAtHand, openDockerSite, TEST_IMAGE } from './testkit.ts';

const MINUTE = 60_000;

it('fetches nothing that the disk has no room for, and says how much is missing', () => {
  const room = { totalBytes: 2e9, freeBytes: 1024 ** 3 };
  expect(() => demandRoom(room, 'a:1', 300 * 1024 ** 2)).toThrow(
    "the engine's disk has 1024 MiB free and the image a:1 may need 1156 MiB",
  );
  expect(() => demandRoom(room, 'a:1', 200 * 1024 ** 2)).not.toThrow();
  expect(() => demandRoom(undefined, 'a:1', 1e15)).not.toThrow();
});

describe.skipIf(isServiceMissing('docker'))('an image in a package', () => {
  const engine = engineAtHand();
  const name = `iotmano-test/${randomUUID()}:1`;
  let directory = '';
  let archive = '';

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'iotmano-images-'));
    archive = join(directory, 'image.tar');
    const container = await docker(engine, 'create', TEST_IMAGE, 'true');
    await docker(engine, 'commit', '--change', 'ENV FROM_ARCHIVE=yes', container, name);
    await docker(engine, 'rm', container);
    await docker(engine, 'save', '--output', archive, name);
    await docker(engine, 'image', 'rm', name);
  }, 2 * MINUTE);
  afterAll(async () => {
    await docker(engine, 'image', 'rm', '--force', name).catch(() => undefined);
    await rm(directory, { recursive: true, force: true });
  }, MINUTE);

  it('is loaded where the engine does not have it, and once', { timeout: 2 * MINUTE }, async () => {
    const opened: string[] = [];
    const artifacts = {
      open: async ({ digest }: { readonly digest: string }) => {
        opened.push(digest);
        return archive;
      },
    };
    const site = await openDockerSite({ artifacts });
    setSlowness(site, 3);
    try {
      const content = await readFile(archive);
      const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
      const command = ['sh', '-c', 'echo "from archive: $FROM_ARCHIVE"; exec sleep 600'];
      const artifact = {
        type: 'container',
        image: name,
        command,
        files: { digest, sizeBytes: content.byteLength },
      } as const;
      const workload = sampleWorkload(site, { spec: { artifact } });
      await run(site, workload);
      expect(opened).toEqual([digest]);
      let output = '';
      for await (const chunk of site.driver.logs(workload.key, { slot: 0, follow: false }))
        output += Buffer.from(chunk).toString();
      expect(output).toBe('from archive: yes\n');
      const id = await docker(engine, 'image', 'inspect', '--format', '{{.Id}}', name);
      await run(site, sampleWorkload(site, { spec: { artifact } }));
      expect(await docker(engine, 'image', 'inspect', '--format', '{{.Id}}', name)).toBe(id);
    } finally {
      await site.close();
    }
  });

  it(
    'is refused where it would take the name of another image of the engine',
    { timeout: MINUTE },
    async () => {
      await docker(engine, 'image', 'rm', '--force', name).catch(() => undefined);
      await docker(engine, 'tag', TEST_IMAGE, name);
      const idOf = (image: string): Promise<string> =>
        docker(engine, 'image', 'inspect', '--format', '{{.Id}}', image);
      const site = await openDockerSite({ artifacts: { open: async () => archive } });
      try {
        const files = { digest: `sha256:${'2'.repeat(64)}`, sizeBytes: 10 };
        const artifact = { type: 'container', image: 'iotmano-test/mine:1', files } as const;
        const refused = site.driver.apply(sampleWorkload(site, { spec: { artifact } }), nextFence());
        await expect(refused).rejects.toMatchObject({ code: 'artifact-unusable' });
        await expect(refused).rejects.toThrow(`would make ${name} another image`);
        expect(await idOf(name)).toBe(await idOf(TEST_IMAGE));
      } finally {
        await site.close();
      }
    },
  );

  it('is refused in words where its file is something else', { timeout: MINUTE }, async () => {
    const file = join(directory, 'other.txt');
    await writeFile(file, 'no archive');
    const site = await openDockerSite({ artifacts: { open: async () => file } });
    try {
      const files = { digest: `sha256:${'1'.repeat(64)}`, sizeBytes: 10 };
      const artifact = { type: 'container', image: 'iotmano-test/none:1', files } as const;
      const refused = site.driver.apply(sampleWorkload(site, { spec: { artifact } }), nextFence());
      await expect(refused).rejects.toMatchObject({ code: 'artifact-unusable' });
      await expect(refused).rejects.toThrow('not an archive of an image');
      expect(await site.driver.list()).toEqual([]);
    } finally {
      await site.close();
    }
  });
});
