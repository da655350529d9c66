/**
 * A driver in a process of its own, to be killed: carries out one command, as an agent would. Arguments: state directory, workloads as JSON,
 * how often to renew the lease (milliseconds, 0 for once), what to do (`apply` or `remove`), and the revision of the command.
 */
import type { Workload } from '../contract.ts';
import { countSteps } from './testkit-killer.ts';

const [directory = '', workloads = '[]', renewMilliseconds = '0', action = 'apply', revision = '1'] =
  process.argv.slice(2);
const { openDriver } = await import('./testkit.ts');
const driver = await openDriver(directory);
await driver.renewed();
if (Number(renewMilliseconds) > 0) setInterval(() => void driver.renewed(), Number(renewMilliseconds));
const wanted = JSON.parse(workloads) as readonly Workload[];
const fence = { leaseNumber: 1, revision: Number(revision) };
countSteps();
await Promise.all(
  wanted.map((workload) =>
    action === 'apply'
      ? driver.apply(workload, fence)
      : driver.remove(workload.key, fence, { graceSeconds: 1 }),
  ),
);
process.stdout.write('done\n');
setInterval(() => undefined, 1000);
