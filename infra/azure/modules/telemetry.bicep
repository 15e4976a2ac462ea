// Log Analytics and Application Insights: the services' telemetry, which diagnosis reads, and Backstop's own logs.
param location string
param tags object
param token string

@description('How long telemetry is kept, days.')
@minValue(31)
@maxValue(730)
param retentionDays int

@description('The ARM id of a workspace that is there already, with the services\' telemetry; empty to make one.')
param existingWorkspaceId string

@description('What is granted on Application Insights: rows of grants.json.')
param grants array
param principals object
param roleIds object

var isThere = !empty(existingWorkspaceId)
var parts = split(isThere ? existingWorkspaceId : '/subscriptions/none/resourceGroups/none/providers/none/workspaces/none', '/')

resource there 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = if (isThere) {
  name: parts[8]
  scope: resourceGroup(parts[2], parts[4])
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = if (!isThere) {
  name: 'log-backstop-${token}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-backstop-${token}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: isThere ? existingWorkspaceId : workspace.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
  }
}

resource insightsGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in grants: {
    name: guid(insights.id, principals[grant.identity], grant.role)
    scope: insights
    properties: {
      roleDefinitionId: roleIds[grant.role]
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
    }
  }
]

output workspaceId string = isThere ? existingWorkspaceId : workspace.id
output workspaceName string = isThere ? parts[8] : workspace.name
@description('What queries name the workspace by.')
output workspaceCustomerId string = isThere ? there!.properties.customerId : workspace!.properties.customerId
output insightsConnectionString string = insights.properties.ConnectionString
