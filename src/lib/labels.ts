/*
 * Labels and annotations of the cluster's objects by which this program recognises them. The charts repeat those that
 * they set or select by; test/lib/labels.test.ts compares them.
 */

/** Label of a node: the type by which charts prefer it, such as `app` or `db`. */
export const nodeTypeLabel = 'wealist.local/node-type';

/** Label of a resource definition: the version of Argo CD that it is from. */
export const argocdVersionLabel = 'wealist.local/argocd-version';

/** Label of a release's record: the hash of the inputs it was rendered from. */
export const inputsLabel = 'wealist-inputs';

/** Label that kind gives the containers of a cluster's nodes: the name of the cluster. */
export const kindClusterLabel = 'io.x-k8s.kind.cluster';

/** Annotation of a pod: the files that were put into its container since the container started. */
export const liveAnnotation = 'wealist.local/live';

/** Annotation of a workload: what it does without, as its chart says. */
export const noteAnnotation = 'wealist.local/note';

/** Annotation of an object that no chart renders: the hash of its manifest. */
export const manifestAnnotation = 'wealist.local/manifest';

/** Annotation of a pod template: when it was restarted last; another value replaces the pods. */
export const restartedAnnotation = 'wealist.local/restarted';

/** Annotation of a pod: when the kubelet was caused to ask for its readiness again. */
export const askedAnnotation = 'wealist.local/asked';

/** Annotation of a Service: who intercepts it, and what its selector was before. */
export const interceptAnnotation = 'wealist.local/intercept';

/** Label that tells the pods of a service's Deployment from the agent that stands in for them. */
export const instanceLabel = 'app.kubernetes.io/instance';

/** Annotation of a Deployment: who has rolled it out for a debugger, and the patch that takes that back. */
export const debugAnnotation = 'wealist.local/debug';
