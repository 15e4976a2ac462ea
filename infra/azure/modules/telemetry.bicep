// Log Analytics and Application Insights: the services' telemetry, which diagnosis reads, and Backstop's own logs.
param location string
param tags object
param token string

@description('How long telemetry is kept, days.')
@minValue(31)
@maxValue(730)
param retentionDays int

@description('What is granted on the workspace and on Application Insights: rows of grants.json.')
param grants array
param principals object
param roleIds object

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
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
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
  }
}

var onWorkspace = filter(grants, grant => grant.on == 'workspace')
var onInsights = filter(grants, grant => grant.on == 'insights')

resource workspaceGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in onWorkspace: {
    name: guid(workspace.id, principals[grant.identity], grant.role)
    scope: workspace
    properties: {
      roleDefinitionId: roleIds[grant.role]
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
    }
  }
]

resource insightsGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in onInsights: {
    name: guid(insights.id, principals[grant.identity], grant.role)
    scope: insights
    properties: {
      roleDefinitionId: roleIds[grant.role]
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
    }
  }
]

output workspaceId string = workspace.id
@description('What queries name the workspace by.')
output workspaceCustomerId string = workspace.properties.customerId
output insightsConnectionString string = insights.properties.ConnectionString
