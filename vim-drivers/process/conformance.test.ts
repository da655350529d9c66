import { describeDriver } from '../conformance.ts';
import { openProcessSite } from './testkit.ts';

describeDriver({ name: 'process', runsPrograms: true, open: () => openProcessSite() }, true);
describeDriver(
  {
    name: 'process (on a host without cgroups)',
    runsPrograms: true,
    open: () => openProcessSite({ cgroupRoot: 'none' }),
  },
  true,
);
