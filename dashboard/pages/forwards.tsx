import { announce } from '../announce.ts';
import { setForward } from '../connection.ts';
import { toCount } from '../format.ts';
import { Copy } from '../parts/copy.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { Mark } from '../parts/shape.tsx';
import { place } from '../route.ts';
import { findHindrance, state } from '../store.ts';

/** Ports of this machine that this dashboard forwards. Those of other terminals are their own. */
export function Forwards() {
  const { forwards = {}, forwardTargets = {} } = state.value ?? {};
  const marked = place.value.query.get('target');
  const hindrance = findHindrance();
  return (
    <main>
      <div class="toolbar">
        <h1>Forwards</h1>
        <span class="note">They end with the dashboard. Requests wait while a pod is replaced.</span>
      </div>
      <Scroll label="Forwards">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">State</th>
              <th scope="col">Target</th>
              <th scope="col" class="number">
                Port
              </th>
              <th scope="col">Usage</th>
              <th scope="col">Held requests</th>
              <th scope="col">Actions</th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(forwardTargets).map(([name, wanted]) => {
              const forward = forwards[name];
              return (
                <tr key={name} class={marked === name ? 'is-chosen' : ''}>
                  <td>
                    <Mark tone={forward ? (forward.held > 0 ? 'waiting' : 'good') : 'absent'}>
                      {forward ? (forward.held > 0 ? 'holding' : 'open') : 'closed'}
                    </Mark>
                  </td>
                  <th scope="row">{name}</th>
                  <td class={forward ? 'number' : 'number faint'}>{forward?.port ?? wanted}</td>
                  <td>
                    {forward ? (
                      <>
                        <code class="cut">{forward.usage}</code> <Copy text={forward.usage} label="Copy" />
                      </>
                    ) : (
                      <span class="faint">–</span>
                    )}
                  </td>
                  <td>
                    {forward && forward.held > 0 ? (
                      <>
                        {toCount(forward.held, 'request')}: {forward.why ?? 'no pod is ready'}
                      </>
                    ) : (
                      <span class="faint">–</span>
                    )}
                  </td>
                  <td>
                    <button
                      type="button"
                      class="small"
                      disabled={!forward && hindrance !== undefined}
                      {...(hindrance === undefined ? {} : { title: hindrance })}
                      aria-label={`${forward ? 'Stop' : 'Start'} forwarding ${name}`}
                      onClick={() => void change(name, forward === undefined)}
                    >
                      {forward ? 'Stop' : 'Start'}
                    </button>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </main>
  );
}

async function change(name: string, open: boolean): Promise<void> {
  const { exitCode, error } = await setForward(name, open);
  announce(exitCode === 0 ? `forward ${name}: ${open ? 'open' : 'stopped'}` : (error?.message ?? 'failed'));
}
