/** The `process` driver behind a real agent: what an orchestrator gets that speaks Mco. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { describeDriver } from '../vim-drivers/conformance.ts';
import type { ConformanceSite } from '../vim-drivers/conformance-site.ts';
import { lookAtHost, startForeign } from '../vim-drivers/process/testkit-host.ts';
import { removeDirectory } from '../vim-drivers/process/testkit.ts';
import { createAgentHost } from './testkit/agent-host.ts';
import { HOST_ID } from './testkit/agent-runner.ts';
import { startMcoDouble } from './testkit/mco-double.ts';
import { createMcoDriver } from './testkit/mco-driver.ts';

const agents = createAgentHost();

describeDriver({
  name: 'agent',
  // The agent keeps it by itself, as long as it is answered; its own tests cut the link.
  keepsLease: false,
  slowness: 2,
  crowd: 60,
  without: {
    admission: 'a process host starts what it is told to; placement counts what it has',
    'remove-options': 'Mco says what is wanted, not how what is not wanted ends',
  },
  open: openSite,
});

afterAll(() => agents.end());

async function openSite(): Promise<ConformanceSite> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'iotmano-agent-'));
  const stateDirectory = join(dataDirectory, 'process');
  const double = await startMcoDouble();
  // Older than every fence of the suite.
  double.fence = { leaseNumber: 0, revision: 0 };
  const driver = createMcoDriver({ double, hostId: HOST_ID, dataDirectory });
  const foreign: ReturnType<typeof startForeign>[] = [];
  const isTold = (told: number): boolean =>
    double.reports.slice(told).some(({ appliedRevision }) => appliedRevision !== undefined);
  /** Until it has told how things are, and has taken over what is wanted. */
  const start = async (): Promise<void> => {
    const told = double.reports.length;
    await agents.start(double.url, dataDirectory);
    while (!isTold(told)) await pause(10);
  };
  await start();
  return {
    driver,
    ...lookAtHost({ driver }, stateDirectory),
    async reopen() {
      await agents.kill();
      await start();
    },
    async plantForeign() {
      const planted = startForeign();
      foreign.push(planted);
      return async () => planted.isThere();
    },
    async interruptEngine() {
      await double.disappear();
      await pause(500);
      await double.appear();
    },
    async close() {
      for (const planted of foreign) planted.end();
      await agents.stop(dataDirectory);
      await double.disappear();
      await removeDirectory(stateDirectory);
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
