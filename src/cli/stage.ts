// The stage that a deployment has unless told otherwise; serverless.yml's own default is the same.
export const STAGE_DEFAULT = 'dev'
