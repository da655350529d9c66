import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../kernel/index.ts';
import { runOrchestrator } from './main.ts';

let directory: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'iotmano-main-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

/** A process that runs the orchestrator over the directory, then the statement. */
function runInProcess(statement: string): { child: ChildProcess; log: Promise<string> } {
  const script = `
    import { createLogger } from ${JSON.stringify(new URL('../kernel/index.ts', import.meta.url).href)};
    import { runOrchestrator } from ${JSON.stringify(new URL('./main.ts', import.meta.url).href)};
    const orchestrator = await runOrchestrator({
      listen: { host: '127.0.0.1', port: 0 },
      dataDirectory: ${JSON.stringify(directory)},
      log: createLogger('orchestrator', 'fatal'),
    });
    ${statement}`;
  const child = spawn(process.execPath, ['--eval', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  return { child, log: text(child.stderr ?? []) };
}

describe('the orchestrator', () => {
  it.each([
    ['an exception', `setTimeout(() => { throw new Error('a planted fault'); });`],
    ['a rejection', `void Promise.reject(new Error('a planted fault'));`],
  ])('ends with status 1 and a fatal line at %s that nobody catches', async (_name, statement) => {
    const { child, log } = runInProcess(statement);
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(1);
    const fatal = (await log).split('\n').find((line) => line.includes('a fault that nobody has caught'));
    expect(JSON.parse(fatal ?? '{}')).toMatchObject({ err: { message: 'a planted fault' } });
  });

  it('lets a process end that has closed it, and the next one have the directory', async () => {
    const { child, log } = runInProcess('await orchestrator.close();');
    expect([...(await once(child, 'exit')), await log]).toEqual([0, null, '']);
    const next = await open();
    expect((await fetch(`${next.url}/readyz`)).status).toBe(200);
    await next.close();
  });

  it('lets go of everything where it cannot start', async () => {
    await writeFile(join(directory, 'key.pem'), 'no key');
    const tls = { certFile: join(directory, 'key.pem'), keyFile: join(directory, 'key.pem') };
    await expect(open(tls)).rejects.toMatchObject({
      code: 'unprocessable',
      message: expect.stringMatching(
        /^the TLS certificate and key cannot be used: .*; give a PEM chain/,
      ) as string,
    });
    await (await open()).close();
    expect(process.listenerCount('uncaughtExceptionMonitor')).toBe(0);
  });
});

function open(tls?: { readonly certFile: string; readonly keyFile: string }) {
  return runOrchestrator({
    listen: { host: '127.0.0.1', port: 0 },
    dataDirectory: directory,
    log: silentLogger,
    ...(tls === undefined ? {} : { tls }),
  });
}
