// The activity log of one subscription goes to the workspace: who changed a role, and who wrote an endpoint, is read
// there within minutes. Azure charges nothing for taking it in.
targetScope = 'subscription'

@description('Tells this setting from others of the subscription, which may have five.')
param environmentName string

@description('Where the log goes.')
param workspaceId string

resource activity 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'backstop-${environmentName}'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'Administrative', enabled: true }]
  }
}
