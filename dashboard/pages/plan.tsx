import { toCount } from '../format.ts';
import { Scroll } from '../parts/scroll.tsx';
import { Mark, type Tone } from '../parts/shape.tsx';
import { AskedPage } from './asked.tsx';

interface Report {
  readonly comparison: {
    readonly with?: string;
    readonly reason?: string;
    readonly objects: readonly ObjectChange[];
    readonly notes: readonly string[];
  };
  readonly unbuilt: readonly string[];
}

interface ObjectChange {
  readonly release: string;
  readonly kind: string;
  readonly name: string;
  readonly change: 'new' | 'changed' | 'gone' | 'same' | 'refused';
  readonly fields: readonly { readonly path: string; readonly before?: unknown; readonly after?: unknown }[];
  readonly problem?: string;
}

const tones: Readonly<Record<ObjectChange['change'], Tone>> = {
  ...{ new: 'live', changed: 'stale', gone: 'absent', same: 'good', refused: 'failed' },
};

/** What `up` would change in the cluster, field by field. */
export function Plan() {
  return (
    <AskedPage<Report>
      title="Plan"
      what="plan"
      button="Compare with the cluster"
      about="Renders what up would deploy, and compares each field. Changes nothing."
    >
      {({ comparison, unbuilt }) => {
        const changed = comparison.objects.filter(({ change }) => change !== 'same');
        return (
          <>
            <p>
              {comparison.with === undefined
                ? `Not compared: ${comparison.reason ?? 'the cluster does not respond'}.`
                : `${toCount(changed.length, 'object')} of ${comparison.objects.length} would change in ${comparison.with}.`}
            </p>
            {comparison.notes.map((note) => (
              <p key={note} class="faint">
                {note}
              </p>
            ))}
            {unbuilt.length > 0 && <p>Not built or pulled yet: {unbuilt.join(', ')}</p>}
            <ul class="changes">
              {changed.map((each) => (
                <li key={`${each.release} ${each.kind} ${each.name}`}>
                  <p>
                    <Mark tone={tones[each.change]}>{each.change}</Mark> <strong>{each.kind}</strong>{' '}
                    {each.name} <span class="faint">{each.release}</span>
                  </p>
                  {each.problem !== undefined && <p class="is-failed">{each.problem}</p>}
                  <Fields fields={each.fields} />
                </li>
              ))}
            </ul>
          </>
        );
      }}
    </AskedPage>
  );
}

function Fields({ fields }: { readonly fields: ObjectChange['fields'] }) {
  if (fields.length === 0) return null;
  return (
    <Scroll label="Fields that would change">
      <table class="plain fields">
        <tbody>
          {fields.map(({ path, before, after }) => (
            <tr key={path}>
              <th scope="row">
                <code>{path}</code>
              </th>
              <td>
                {before === undefined ? <span class="faint">not set</span> : <del>{toText(before)}</del>}
              </td>
              <td>{after === undefined ? <span class="faint">removed</span> : <ins>{toText(after)}</ins>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

const toText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
