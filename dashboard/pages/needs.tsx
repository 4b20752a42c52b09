import { useEffect, useState } from 'preact/hooks';
import type { PartView } from '../../src/dashboard/dashboard-state.ts';
import { type Graph, type Layout, listRelated, nodeSize, reduce } from '../graph/layout.ts';
import { PartLink } from '../parts/causes.tsx';
import { PartSelect } from '../parts/part-select.tsx';
import { PartState } from '../parts/part-state.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { navigate, place, setQuery, toServicePath } from '../route.ts';
import { isCurrent, parts, state } from '../store.ts';

/** What needs what, as a picture and as a table. */
export function Needs() {
  const view = place.value.query.get('view') === 'table' ? 'table' : 'graph';
  const focus = place.value.query.get('focus') ?? '';
  const graph: Graph = { nodes: parts.value.map(({ name, needs }) => ({ name, needs })) };
  const reduced = reduce(graph);
  const related = focus === '' ? undefined : listRelated(reduced, focus);
  const hit = isCurrent.value
    ? new Set((state.value?.causes.list ?? []).flatMap(({ about, affects }) => [about ?? '', ...affects]))
    : new Set<string>();
  return (
    <main>
      <div class="toolbar">
        <h1>Needs</h1>
        <PartSelect query="focus" label="Focus" none="no focus" />
        <span class="actions">
          {(['graph', 'table'] as const).map((name) => (
            <button
              key={name}
              type="button"
              class="small"
              aria-pressed={view === name}
              onClick={() => setQuery({ view: name === 'graph' ? undefined : name })}
            >
              {name}
            </button>
          ))}
        </span>
        <span class="note">
          {hit.size > 0 ? 'The thick lines lead to the cause.' : 'A line leads to what is needed.'}
        </span>
      </div>
      {view === 'graph' ? (
        <Picture graph={graph} related={related} hit={hit} />
      ) : (
        <Table reduced={reduced} related={related} />
      )}
    </main>
  );
}

function Table({
  reduced,
  related,
}: {
  readonly reduced: Graph;
  readonly related: ReadonlySet<string> | undefined;
}) {
  const rows = reduced.nodes.filter(({ name }) => related?.has(name) ?? true);
  return (
    <Scroll label="Needs as a table">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Name</th>
            <th scope="col">Needs</th>
            <th scope="col">Needed by</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, needs }) => {
            const part = parts.value.find((each) => each.name === name);
            const neededBy = reduced.nodes.filter((each) => each.needs.includes(name));
            return (
              <tr key={name}>
                <td>{part && <PartState part={part} />}</td>
                <th scope="row">
                  <PartLink name={name} />
                </th>
                <td>{toLinks(needs)}</td>
                <td>{toLinks(neededBy.map((each) => each.name))}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

function toLinks(names: readonly string[]) {
  if (names.length === 0) return <span class="faint">–</span>;
  return names.map((name) => <PartLink key={name} name={name} />);
}

/** Laid out by a worker, so that a large graph does not hold the page. */
function useLayout(graph: Graph): Layout | undefined {
  const [layout, setLayout] = useState<Layout | undefined>(undefined);
  const key = JSON.stringify(graph);
  useEffect(() => {
    const worker = new Worker('/graph-worker.js', { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<Layout>) => {
      setLayout(data);
      worker.terminate();
    });
    worker.postMessage(JSON.parse(key));
    return () => worker.terminate();
  }, [key]);
  return layout;
}

interface PictureProps {
  readonly graph: Graph;
  readonly related: ReadonlySet<string> | undefined;
  /** Those that a cause is about, or that it affects. */
  readonly hit: ReadonlySet<string>;
}

function Picture({ graph, related, hit }: PictureProps) {
  const layout = useLayout(graph);
  if (!layout) return <p class="empty">The graph is being laid out.</p>;
  const isDim = (...names: readonly string[]) =>
    related !== undefined && !names.every((name) => related.has(name));
  return (
    <Scroll label="Needs as a graph" class="graph">
      <svg width={layout.width} height={layout.height}>
        <title>Needs</title>
        {layout.edges.map(({ from, to, points }) => (
          <path
            key={`${from} ${to}`}
            class={`edge ${hit.has(from) && hit.has(to) ? 'is-hit' : ''} ${isDim(from, to) ? 'is-dim' : ''}`}
            d={toPath(points)}
          />
        ))}
        {parts.value.map((part) => {
          const at = layout.nodes[part.name];
          return (
            at && (
              <Node key={part.name} part={part} at={at} isHit={hit.has(part.name)} isDim={isDim(part.name)} />
            )
          );
        })}
      </svg>
    </Scroll>
  );
}

function toPath(points: Layout['edges'][number]['points']): string {
  const [first, ...rest] = points;
  if (!first) return '';
  // Smooth through the points in between.
  const curves = rest.map(({ x, y }, at) => {
    const before = points[at] ?? first;
    const middle = (before.x + x) / 2;
    return `C${middle} ${before.y} ${middle} ${y} ${x} ${y}`;
  });
  return `M${first.x} ${first.y}${curves.join('')}`;
}

interface NodeProps {
  readonly part: PartView;
  readonly at: { readonly x: number; readonly y: number };
  readonly isHit: boolean;
  readonly isDim: boolean;
}

function Node({ part, at, isHit, isDim }: NodeProps) {
  const { width, height } = nodeSize;
  const found = isCurrent.value ? part.state : 'unknown';
  return (
    <a
      class={`node is-${found} ${isHit ? 'is-hit' : ''} ${isDim ? 'is-dim' : ''}`}
      href={toServicePath(part.name)}
      aria-label={`${part.name}, ${found}`}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        navigate(toServicePath(part.name));
      }}
    >
      <g transform={`translate(${at.x - width / 2} ${at.y - height / 2})`}>
        <rect width={width} height={height} rx="4" />
        <text x="12" y="17" class="node-name">
          {part.name}
        </text>
        <text x="12" y="32" class="node-state">
          {toShape(found)} {found === 'absent' ? 'not deployed' : found}
        </text>
      </g>
    </a>
  );
}

/** The shapes of `Mark` as characters, since text in a picture holds no picture. */
function toShape(found: PartView['state']): string {
  return { ready: '●', waiting: '◐', failed: '✕', absent: '○', unknown: '◌' }[found];
}
