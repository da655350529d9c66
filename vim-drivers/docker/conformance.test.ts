import { describe } from 'vitest';
import { isServiceMissing } from '../../test/kit/services.ts';
import { describeDriverContract } from '../conformance.ts';
import { DOCKER_TARGET } from './testkit.ts';

describe.skipIf(isServiceMissing('docker'))('on a real engine,', () => {
  describeDriverContract(DOCKER_TARGET);
});
