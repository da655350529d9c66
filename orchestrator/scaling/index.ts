/** Automatic scaling: policies over what is measured, the loop that carries out what they wish, and what operators set of it. */
export { createScaling, type Scaling, type ScalingOptions } from './create-scaling.ts';
export type { ScalingLimits } from './limits.ts';
