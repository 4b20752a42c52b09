import { CommandFailure } from '../../src/lib/failure.ts';
import type { Kubectl } from '../../src/tools/kubernetes/kubectl.ts';

interface Definition {
  readonly labels: Record<string, string>;
  isEstablished: boolean;
}

interface Application {
  finalizers: readonly string[];
}

/** A cluster with custom resource definitions, and with Argo CD's Applications while their definition exists. */
export function createDefinitions() {
  const definitions = new Map<string, Definition>();
  const applications = new Map<string, Application>();
  const kind = 'applications.argoproj.io';
  const calls: string[] = [];
  const fake = {
    definitions,
    applications,
    /** The verbs of the kubectl calls. */
    calls,
    /** Whether new definitions become established. */
    establishes: true,
    /** The applied manifests. */
    applied: [] as string[],
    kubectl: {} as Kubectl,
  };
  const refused = (stderr: string) =>
    new CommandFailure(`kubectl: ${stderr}`, { argv: ['kubectl'], status: 1, stdout: '', stderr });
  const namesOf = (args: readonly string[]) =>
    args.flatMap((arg) => (arg.startsWith('crd/') ? [arg.slice('crd/'.length)] : []));
  const getDefinition = (name: string) => {
    const found = definitions.get(name);
    if (!found) throw refused(`customresourcedefinitions "${name}" not found`);
    return found;
  };

  function get(args: readonly string[]): string {
    if (args.includes(kind)) {
      if (!definitions.has(kind)) throw refused(`the server doesn't have a resource type "applications"`);
      return [...applications.keys()].map((name) => `application.argoproj.io/${name}\n`).join('');
    }
    const found = namesOf(args).flatMap((name) => {
      const definition = definitions.get(name);
      return definition ? [{ name, ...definition }] : [];
    });
    const output = args.find((arg) => arg.startsWith('--output=')) ?? '';
    if (output === '--output=name') {
      return found.map(({ name }) => `customresourcedefinition.apiextensions.k8s.io/${name}\n`).join('');
    }
    const label = /\.metadata\.labels\.((?:\\.|[^}])+)\}/.exec(output)?.[1]?.replaceAll('\\.', '.') ?? '';
    return found
      .map(({ labels, isEstablished }) => `${labels[label] ?? ''} ${isEstablished ? 'True' : 'False'}\n`)
      .join('');
  }

  function run(args: readonly string[]): string {
    const [verb = '', what = ''] = args;
    calls.push(verb);
    if (verb === 'get') return get(args);
    if (verb === 'label') {
      const [key = '', value = ''] = args.at(-1)?.split('=') ?? [];
      for (const name of namesOf(args)) getDefinition(name).labels[key] = value;
    } else if (verb === 'wait') {
      for (const name of namesOf(args)) {
        if (!getDefinition(name).isEstablished) throw refused('timed out waiting for the condition');
      }
    } else if (verb === 'patch') {
      const application = applications.get(what.replace('application.argoproj.io/', ''));
      if (!application) throw refused(`${what} not found`);
      const patch = JSON.parse(
        args.find((arg) => arg.startsWith('--patch='))?.slice('--patch='.length) ?? '',
      );
      application.finalizers = patch.metadata.finalizers ?? [];
    } else if (verb === 'delete') {
      // Like the API server: deleting a definition deletes its objects, unless they have finalizers.
      for (const name of namesOf(args)) {
        if (name !== kind) definitions.delete(name);
        else if ([...applications.values()].some(({ finalizers }) => finalizers.length > 0)) {
          throw refused('timed out waiting for the condition');
        } else {
          definitions.delete(name);
          applications.clear();
        }
      }
    }
    return '';
  }

  const refuse = () => Promise.reject(new Error('not supported by the fake'));
  const kubectl: Kubectl = {
    ...{ command: ['kubectl'], getJson: refuse, getRows: refuse, logs: refuse },
    async apply(text) {
      fake.applied.push(text);
      for (const [, name = ''] of text.matchAll(/^ {2}name: (\S+)$/gm)) {
        const before = definitions.get(name);
        definitions.set(name, { labels: before?.labels ?? {}, isEstablished: fake.establishes });
      }
    },
    run: async (args) => run(args),
  };
  return Object.assign(fake, { kubectl });
}
