/** Plots as SVG text: panels with one axis of time in common. Pure. */
export { renderPlot, type Line, type Panel, type Plot } from './render-plot.ts';
export { linearScale, logScale, type AxisScale } from './scale.ts';
