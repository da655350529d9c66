import { describe } from 'vitest';
import { isServiceMissing } from '../../test/kit/services.ts';
import { describeDriverContract } from '../conformance.ts';
import { KUBERNETES_TARGET } from './testkit.ts';

describe.skipIf(isServiceMissing('kubernetes'))('on a real cluster,', () => {
  describeDriverContract(KUBERNETES_TARGET);
});
