// What fires: the rules that are generated from the catalog, and the group that tells Backstop of them.
param location string
param tags object
param environmentName string

@description('The workspace that the rules read.')
param workspaceId string

@description('The responder\'s address, and the app registration that its tokens are for.')
param responderUrl string
param audience string
param audienceObjectId string

var rules = loadJsonContent('../generated/rules.json')

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-backstop-${environmentName}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'backstop'
    webhookReceivers: [
      {
        name: 'responder'
        serviceUri: '${responderUrl}/api/alerts'
        useCommonAlertSchema: true
        useAadAuth: true
        objectId: audienceObjectId
        identifierUri: 'api://${audience}'
        tenantId: tenant().tenantId
      }
    ]
  }
}

resource queryRules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: rule.name
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.displayName
      description: rule.description
      enabled: true
      severity: rule.severity
      scopes: [workspaceId]
      evaluationFrequency: rule.evaluationFrequency
      windowSize: rule.window
      autoMitigate: rule.autoMitigate
      skipQueryValidation: true // a new workspace knows a table once something has come; our tests ask the analyser
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: rule.aggregation
            metricMeasureColumn: empty(rule.measureColumn) ? null : rule.measureColumn
            operator: rule.operator
            threshold: rule.threshold
            resourceIdColumn: empty(rule.resourceIdColumn) ? null : rule.resourceIdColumn
            dimensions: rule.dimensions
            failingPeriods: rule.failingPeriods
          }
        ]
      }
      actions: {
        actionGroups: [group.id]
        customProperties: rule.customProperties
      }
    }
  }
]

output actionGroupId string = group.id
