import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type HostId } from '../../kernel/index.ts';
import { describeDriver } from '../../vim-drivers/conformance.ts';
import type { ConformanceSite } from '../../vim-drivers/conformance-site.ts';
import { instanceName, workloadId } from '../../vim-drivers/contract.ts';
import { createFileDriver } from './file-driver.ts';

describeDriver({
  name: 'file',
  keepsLease: false,
  without: { interruption: 'there is no engine', commands: 'it has no programs to run beside' },
  open: openSite,
});

async function openSite(): Promise<ConformanceSite> {
  const directory = mkdtempSync(join(tmpdir(), 'iotmano-file-driver-'));
  const open = (): ReturnType<typeof createFileDriver> =>
    createFileDriver({
      directory,
      hostId: 'host-1' as HostId,
      clock: systemClock,
      newRunId: randomUUID,
    });
  let driver = await open();
  const runFile = (...words: Parameters<typeof instanceName>): string =>
    join(directory, `${instanceName(...words)}.run`);
  return {
    get driver() {
      return driver;
    },
    async reopen() {
      driver = await open();
    },
    artifact: (command) => ({ type: 'process', command }),
    crash: async (key, { slot }) => rmSync(runFile(key, slot)),
    takeAway: async (key, slot) => rmSync(runFile(key, slot)),
    async runOf(key, slot) {
      const path = runFile(key, slot);
      return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
    },
    async plantForeign() {
      const path = join(directory, 'somebody-elses.run');
      writeFileSync(path, '1');
      return async () => existsSync(path);
    },
    traces: async (...keys) =>
      readdirSync(directory).filter((name) =>
        keys.map(workloadId).some((id) => name.startsWith(`${id}-`) || name.startsWith(`${id}.`)),
      ),
    close: async () => rmSync(directory, { recursive: true }),
  };
}
