import { describe } from 'vitest';
import { isServiceMissing } from '../../test/kit/services.ts';
import { describeDriver } from '../conformance.ts';
import { openDockerSite } from './testkit.ts';

/** A start takes an engine half a second, where a process takes a few milliseconds. */
const SLOWNESS = 3;

describe.skipIf(isServiceMissing('docker'))('on a real engine,', () => {
  describeDriver({
    name: 'docker',
    keepsLease: false,
    slowness: SLOWNESS,
    crowd: 60, // an engine starts two or three containers a second on two cores
    without: { admission: 'an engine takes whatever it is given' },
    open: () => openDockerSite(),
  });
});
