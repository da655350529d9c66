import { systemClock } from '../../kernel/index.ts';
import { describeDriver } from '../conformance.ts';
import { find, type ConformanceSite } from '../conformance-site.ts';
import { workloadId } from '../contract.ts';
import { createFakeDriver, createFakeWorld } from './index.ts';

describeDriver({
  name: 'fake',
  keepsLease: true,
  without: { 'take-away': 'what is in memory has no tool of its own' },
  open: async () => openSite(),
});

function openSite(): ConformanceSite {
  const world = createFakeWorld({ clock: systemClock });
  const [hostId] = world.hostIds;
  if (hostId === undefined) throw new Error('the world has no host');
  let driver = createFakeDriver({ world, hostId });
  return {
    get driver() {
      return driver;
    },
    async reopen() {
      await driver.close();
      driver = createFakeDriver({ world, hostId });
    },
    artifact: (command) => ({ type: 'process', command }),
    crash: async (key, { slot }) => driver.crashInstance(key, slot, 137),
    async runOf(key, slot) {
      const instance = (await find({ driver }, key))?.instances.find((one) => one.slot === slot);
      return instance?.pid?.toString();
    },
    async plantForeign() {
      world.host(hostId).foreign.add('other');
      return async () => world.host(hostId).foreign.has('other');
    },
    async traces(...keys) {
      const { workloads, output } = world.host(hostId);
      const names = [...workloads.keys(), ...output.keys()];
      const ids = keys.map(workloadId);
      return names.filter((name) => ids.some((id) => name === id || name.startsWith(`${id}-`)));
    },
    async interruptEngine() {
      driver.failures.isUnreachable = true;
      await new Promise((resolve) => setTimeout(resolve, 200));
      driver.failures.isUnreachable = false;
    },
    close: () => driver.close(),
  };
}
