import { Graph as DagreGraph, layout } from '@dagrejs/dagre';
import { type Graph, type Layout, nodeSize, type Point, reduce } from './graph/layout.ts';

/** Lays the graph out beside the page, which stays free meanwhile. */
addEventListener('message', ({ data }: MessageEvent<Graph>) => {
  postMessage(toLayout(data));
});

function toLayout(given: Graph): Layout {
  const { nodes } = reduce(given);
  const graph = new DagreGraph();
  graph.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 56, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { name } of nodes) graph.setNode(name, { ...nodeSize });
  for (const { name, needs } of nodes) for (const need of needs) graph.setEdge(name, need);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    nodes: Object.fromEntries(graph.nodes().map((name: string) => [name, toPoint(graph.node(name))])),
    edges: graph.edges().map((edge: { readonly v: string; readonly w: string }) => {
      const { points = [] } = graph.edge(edge) as { points?: readonly Point[] };
      return { from: edge.v, to: edge.w, points: points.map(toPoint) };
    }),
  };
}

const toPoint = ({ x, y }: { readonly x?: number; readonly y?: number }): Point => ({ x: x ?? 0, y: y ?? 0 });
