import { describeDriver } from '../conformance.ts';
import { openProcessSite } from './testkit.ts';

const without = {
  admission: 'a process host starts what it is told to; placement counts what it has',
  interruption: 'there is no engine beside the host',
};

describeDriver({ name: 'process', keepsLease: true, without, open: () => openProcessSite() });
describeDriver({
  name: 'process (on a host without cgroups)',
  keepsLease: true,
  without,
  crowd: 60,
  open: () => openProcessSite({ cgroupRoot: 'none' }),
});
