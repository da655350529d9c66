import { describeDriver } from '../conformance.ts';
import { openProcessSite } from './testkit.ts';

describeDriver({ name: 'process', keepsLease: true, open: () => openProcessSite() });
describeDriver({
  name: 'process (on a host without cgroups)',
  keepsLease: true,
  open: () => openProcessSite({ cgroupRoot: 'none' }),
});
