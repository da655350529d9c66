import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDescriptor } from '../descriptors/index.ts';
import { isServiceMissing } from '../test/kit/services.ts';
import { buildImage, saveImage, type BuiltImage } from './build-images.ts';
import { functionNames } from './build-packages.ts';
import { newKey } from './testkit/test-cse.ts';

const HERE = import.meta.dirname;
const TAG = `iotmano/functions:test-${process.pid}`;

interface Outcome {
  readonly status: number | null;
  readonly text: string;
}

function docker(...args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync('docker', args, { encoding: 'utf8', timeout: 60_000 });
  return { status, text: `${stdout}${stderr}`.trim() };
}

test.each(functionNames())(
  '%s is a process or a container of the image of its version, started by its name',
  (name) => {
    const text = readFileSync(join(HERE, 'functions', name, 'descriptor.yaml'), 'utf8');
    const { descriptor } = parseDescriptor(text, { file: name });
    if (descriptor?.kind !== 'IoTFunctionDescriptor') throw new TypeError(name);
    for (const { artifacts } of descriptor.units) {
      expect(artifacts.map(({ type }) => type)).toEqual(['process', 'container']);
      expect(artifacts[1]).toMatchObject({
        image: `iotmano/functions:${descriptor.metadata.softwareVersion}`,
        command: [name],
      });
    }
  },
);

test('building images says what is missing where there is no docker', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(HERE, 'build-images.ts')], {
    env: { PATH: '/nonexistent' },
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('images are built with the docker command');
  expect(stderr).toContain('install it');
});

describe.skipIf(isServiceMissing('docker') || isServiceMissing('nats-server') || isServiceMissing('haproxy'))(
  'the image of the functions',
  () => {
    let built: BuiltImage;
    const started: string[] = [];

    beforeAll(async () => {
      built = await buildImage({ tag: TAG });
    }, 120_000);

    afterAll(() => {
      if (started.length > 0) docker('rm', '--force', '--volumes', ...started);
      docker('rmi', '--force', TAG);
    });

    /** Runs a function as drivers do: read-only, without rights, and here without a network, too. */
    function start(name: string): string {
      const service = {
        capability: 'x',
        protocol: 'x',
        endpoints: [{ host: '127.0.0.1', port: 1, instance: 'x' }],
        credential: { id: name, seed: newKey().seed },
      };
      const bindings = { config: {}, requires: { broker: service, mca: service }, clients: [] };
      const settings = {
        INSTANCE_ID: 'x',
        METRICS_PORT: '9000',
        METRICS_ADDRESS: '0.0.0.0',
        LISTEN_ADDRESS: '0.0.0.0',
        PUBLIC_ADDRESS: '192.0.2.1',
        DATA_DIRECTORY: '/data',
        WORK_DIRECTORY: '/tmp',
        BINDINGS_FILE: '/tmp/bindings.json',
        BINDINGS: JSON.stringify(bindings),
      };
      const environment = Object.entries(settings).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
      const { status, text } = docker(
        'run',
        '--detach',
        '--read-only',
        '--user',
        '1000:1000',
        '--network',
        'none',
        '--cap-drop',
        'ALL',
        '--security-opt',
        'no-new-privileges',
        '--tmpfs',
        '/tmp:mode=1777',
        '--volume',
        '/data',
        ...environment,
        TAG,
        'sh',
        '-c',
        'printf %s "$BINDINGS" >"$BINDINGS_FILE"; exec "$0"',
        name,
      );
      expect(text).toMatch(/^[0-9a-f]{64}$/);
      expect(status).toBe(0);
      started.push(text);
      return text;
    }

    /** What the probe is answered, as soon as it is answered and that is as wanted. */
    async function probe(container: string, wanted: RegExp): Promise<string> {
      const ask = `fetch('http://127.0.0.1:9000/ready').then(async (a) => console.log(a.status, await a.text()))`;
      let last = '';
      for (let tries = 0; tries < 20; tries += 1) {
        const { status, text } = docker('exec', container, 'node', '--eval', ask);
        if (status === 0 && wanted.test(text)) return text;
        last = text;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
      throw new Error(`still ${last}\n${docker('logs', container).text}`);
    }

    test.each(functionNames().filter((name) => name !== 'message-broker'))(
      '%s starts in it and answers its probe: what it needs is missing',
      async (name) => {
        expect(await probe(start(name), /^\d+ (?!haproxy does not answer)/)).toMatch(
          /^503 (not (connected to the message broker|registered at the CSE)|no back end is ready)$/,
        );
      },
      60_000,
    );

    test('message-broker starts in it and is ready, with a nats-server that is not root', async () => {
      const container = start('message-broker');
      expect(await probe(container, /^200/)).toBe('200 ready');
      const owner = docker(
        'exec',
        container,
        'sh',
        '-c',
        'stat -c %u:%g "/proc/$(cat /tmp/nats-server.pid)"',
      );
      expect(owner).toEqual({ status: 0, text: '1000:1000' });
    }, 60_000);

    test('stops within its grace when it is told to', async () => {
      const container = start('data-storage');
      await probe(container, /^503/);
      expect(docker('stop', '--time', '20', container).status).toBe(0);
      expect(docker('inspect', '--format', '{{.State.ExitCode}}', container).text).toBe('0');
    }, 60_000);

    test('names a user that is not root, and tells its functions when it is asked for none', () => {
      expect(docker('inspect', '--format', '{{.Config.User}} {{.Config.Entrypoint}}', TAG).text).toBe(
        '1000:1000 []',
      );
      const { text } = docker('run', '--rm', '--network', 'none', TAG);
      expect(text.split(/\s+/)).toEqual([...functionNames(), 'haproxy', 'nats-server'].toSorted());
    });

    test('comes with the licences of what is in it', () => {
      const { text } = docker(
        'run',
        '--rm',
        '--network',
        'none',
        TAG,
        'sh',
        '-c',
        'cd /opt/iotmano; head -n 1 functions/*/LICENSES.txt nats-server.LICENSE.txt haproxy.LICENSES.txt',
      );
      for (const name of functionNames()) expect(text).toContain(`functions/${name}/LICENSES.txt`);
      expect(text).toContain('The NATS Authors');
      expect(text).toContain('haproxy.LICENSES.txt');
    });

    test('is small', () => {
      expect(built.sizeBytes - built.baseSizeBytes).toBeLessThan(40e6);
    });

    test('can be saved as an archive that an engine loads again', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'image-'));
      try {
        const file = await saveImage(TAG, folder);
        expect(docker('load', '--input', file)).toEqual({ status: 0, text: `Loaded image: ${TAG}` });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }, 120_000);
  },
);
